"""Read by `gunicorn northgate.wsgi:application` when started in this folder."""

import os

bind = os.environ.get("NORTHGATE_BIND", "127.0.0.1:8000")
workers = 2
threads = 4
worker_class = "gthread"
timeout = 60
control_socket_disable = True  # several of us start it by hand on ng-app01
