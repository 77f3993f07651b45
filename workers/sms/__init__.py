"""Vendors' protocols: one gateway a file, behind the protocol of domain/actions/sms.py."""
