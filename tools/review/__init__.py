"""What a reviewer reads: what a change does to who has which access, from the files of two commits alone."""
