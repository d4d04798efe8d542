package kube

// FieldManager is how the API server records what Tessera wrote.
const FieldManager = "tessera"

// Labels and annotations. The first three stand on a model's Deployment and on its
// pod template, and people write them; the others are Tessera's own.
const (
	LabelModel   = "tessera.dev/model"   // the model that the pods serve
	LabelVariant = "tessera.dev/variant" // the build of it
	LabelSlice   = "tessera.dev/slice"   // the kind of slice that a pod takes, as SliceLabel writes it

	// LabelServing is "true" in a pod template whose Service selects by it, and
	// becomes "false" on a pod that drains: it gets no new work and ends what it has.
	LabelServing = "tessera.dev/serving"

	LabelNode     = "tessera.dev/node"     // on a node and what asked for it: its fleet id
	LabelOffering = "tessera.dev/offering" // on a node: its name in the catalog
	LabelLedger   = "tessera.dev/ledger"   // on what Tessera made: which installation, namespace.name

	AnnotationPlan = "tessera.dev/plan" // on what Tessera made or changed: for which plan

	// AnnotationCordoned on a node says that Tessera cordoned it and for which plan, so
	// that its own cordon is told from a person's.
	AnnotationCordoned = "tessera.dev/cordoned"

	// AnnotationPaused, set by a person to "true" on a Deployment or on the ledger,
	// leaves that model, or the whole fleet, as it is until it is removed.
	AnnotationPaused = "tessera.dev/paused"
)

// SeatPrefix begins the extended resource by which the pods of one Deployment are
// bound to nodes: a node offers as many seats of it as the plan gave it replicas,
// and a pod asks for one. The scheduler then puts them where the plan wants them,
// also while Tessera is away.
const SeatPrefix = "seat.tessera.dev/"

// PodDeletionCost tells a ReplicaSet which pod to remove first.
const PodDeletionCost = "controller.kubernetes.io/pod-deletion-cost"

// NVIDIA's words: mig-manager cuts the GPUs of a node as the first label says, and
// tells in the second how far it is.
const (
	LabelMIGConfig = "nvidia.com/mig.config"
	LabelMIGState  = "nvidia.com/mig.config.state"

	MIGPending   = "pending"
	MIGRebooting = "rebooting"
	MIGSuccess   = "success"
	MIGFailed    = "failed"
)
