"""Who acts besides consumers: legacy users by session, password or our own tokens, and whom an issuer vouches for."""
