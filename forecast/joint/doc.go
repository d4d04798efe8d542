// Package joint says how the demands of several models will move together.
//
// A quantile per model and lead is enough to size one model that has its GPU for
// itself. Where models share a GPU, what counts is whether they peak in the same
// minute, and whether an error of now will still be there in an hour. A [Learner]
// learns both from forecasts and what came out, and [Learner.Sample] draws paths
// whose values at every single lead keep the quantiles of the forecast exactly.
//
// The dependence is a Gaussian copula: each forecast error is read as a normal
// score, the level at which the outcome stood in its own forecast. Scores of
// different models at one lead have a correlation matrix; scores of one model at
// successive leads of one path form a Markov chain. Both are separable: the
// correlation in time is the same for all models, so that drawing keeps the matrix.
package joint
