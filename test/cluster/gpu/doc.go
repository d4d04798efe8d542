// Package gpu plays NVIDIA's GPU operator on nodes that have no GPUs: a device plugin
// that reports resources some time after the node is ready, feature discovery that
// labels the node, and a mig-manager that cuts its GPUs anew when the label
// nvidia.com/mig.config changes, by the protocol of the real one:
//
//   - Nothing happens unless the value changes. What is cut so already is a success at once.
//   - A change sets nvidia.com/mig.config.state to pending and the labels
//     nvidia.com/gpu.deploy.* to paused-for-mig-change; the device plugin goes, and with it
//     everything that could be allocated: the quantities become zero, as a kubelet has it.
//   - It does not evict anybody. While pods hold GPUs it waits, and after a time it hangs
//     in pending until the label gets another value (mig-parted issue 485).
//   - Then the geometry is applied, the plugin returns with the new resources, the labels
//     are true again and the state is success, or failed.
//
// Configurations are read from a ConfigMap in the format of mig-parted. Geometries are
// judged by the product's own tables: what NVIDIA's driver would refuse fails, leaving
// the GPU with MIG on and without a slice, because the old ones were deleted first.
package gpu
