"""The command line: parse, call one function a room, print; the only room that knows all."""
