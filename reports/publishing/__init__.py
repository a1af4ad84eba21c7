"""Publishing: what the public is told. The machine drafts, a person publishes (unless AUTO_PUBLISH says otherwise)."""
