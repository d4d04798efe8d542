// Package panel forecasts models together that live alike: languages of one time zone
// in one product.
//
// Each member of a [Family] has a forecaster of its own. Beside it stands one of the
// family's total. A member's second opinion is its present share of the total times
// the total's forecast: it borrows the shape of the day, never the level. Both
// opinions are mixed, lead by lead, as they were right lately, so that a language that
// is new or small leans on its family and one that knows better does not. Last, the
// medians are reconciled with the total's, those giving way most that know least.
package panel
