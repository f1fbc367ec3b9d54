"""`python -m api_gateway.cli`: how a process of Banyan starts another one."""

from api_gateway.cli import main

main()
