"""Strange colours: what is usual, how far a picture is from it, which parts of passes are wrong."""
