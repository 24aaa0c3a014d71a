"""One module per kind of work: each returns states, none sends a request."""
