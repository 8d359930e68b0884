"""The HTTP interface and the storage behind it. Never imports PyTorch."""
