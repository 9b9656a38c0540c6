"""What tests share: hosts without a shell, faults on purpose, descriptions of values."""
