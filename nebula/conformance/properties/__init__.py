"""The properties, one file a subject; each exports `PROPERTIES`."""
