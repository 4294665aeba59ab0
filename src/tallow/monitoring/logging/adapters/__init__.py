"""Ways from structlog and loguru into the pipeline, for those who keep their own set-up."""
