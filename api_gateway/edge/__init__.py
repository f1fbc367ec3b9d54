"""The edge: Envoy in front of everything, driven by files that are generated from routes and stages."""
