"""Models on PyTorch (extra ``deep``); nothing outside this folder imports it before it is used."""
