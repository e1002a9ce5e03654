"""Days into the archive: which, fetched how, confirmed when."""
