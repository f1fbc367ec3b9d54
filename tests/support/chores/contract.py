"""No resource: what is tested here are operations and the tasks that they enqueue."""
