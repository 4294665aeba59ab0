"""The checks of a deployment in a Kubernetes cluster, over the objects of the cluster or of rendered
manifests."""
