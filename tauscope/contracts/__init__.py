"""What travels: measured points, onsets, run states, and the requests and responses of the HTTP interface. Torch-free."""
