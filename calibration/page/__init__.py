"""The page that every calibration command writes: one HTML file that needs no network."""
