"""The dashboard: Streamlit pages, charts made from contracts, and the server that gives the browser one origin."""
