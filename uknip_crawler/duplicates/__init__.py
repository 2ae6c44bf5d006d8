"""Near-duplicates: fingerprints of texts, whether two texts are copies, and finding copies over a whole archive."""
