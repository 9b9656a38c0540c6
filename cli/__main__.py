"""``python -m elastictm_cli``."""

from elastictm_cli.main import main

main()
