"""IAM policy documents: read, checked and brought into one form, without a server or a credential."""
