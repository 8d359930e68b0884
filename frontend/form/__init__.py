"""A form for any experiment kind, made from its JSON Schema: fields, what is typed into them, and the sweep they make."""
