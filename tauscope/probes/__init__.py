"""Early warnings of copying that draw no samples: membership attacks, the projection order parameter, the stable rank."""
