"""The Streamlit entry point, in a folder of its own: beside ``pages`` Streamlit would run those files without it."""
