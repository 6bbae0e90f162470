"""The components, styles and scripts that the four faces share."""
