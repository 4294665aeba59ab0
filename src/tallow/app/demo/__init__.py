"""Demo traffic: real transfers of generated files between real peers, so that every dashboard panel shows
data."""
