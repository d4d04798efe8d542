package bound

// SpotLife is how long the bound takes a spot node to live and be paid at least.
const SpotLife = spotLife
