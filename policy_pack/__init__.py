"""The policy pack: what must be true of any stack of this kind, however it was written."""
