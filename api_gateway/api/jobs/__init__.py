"""Jobs over the API, for whoever enqueued them: how far they are, live, cancelled, and what was wrong with single rows.

uploads    a file that comes as the body of an operation        answers   202: where the job is from now on
routes     GET, DELETE, the report                              live      Server-Sent Events and WebSocket
serving    all of it in every version of the API
"""
