//! What makes a cluster move: deployments, replica sets, the scheduler, kubelets, services, deletion.
