"""An AWS of one's own on loopback: moto as the services, with IAM's rules enforced from the first request."""
