"""The adaptive policy beside the best fixed period: toy models, the published traces, networks trained here."""
