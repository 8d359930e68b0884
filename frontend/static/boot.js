// Runs before Streamlit. Without the address it looks for its backend below the page's own first: two failed requests.

window.prerenderReady = false;
window.__streamlit = { BACKEND_BASE_URL: `${window.location.origin}/` };
