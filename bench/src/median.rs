//! The middle of what was measured, and how certain it is.

use std::fmt;

/// Not a number if there are none.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.as_slice() {
        [] => f64::NAN,
        odd if odd.len() % 2 == 1 => odd[middle],
        even => (even[middle - 1] + even[middle]) / 2.0,
    }
}

/// A median, and where that of endlessly many samples would lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub median: f64,
    /// Holds it in 95 of 100 cases. Nothing if there are too few samples to tell.
    pub interval: Option<(f64, f64)>,
}

impl Estimate {
    /// Of independent samples.
    pub fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let cut = cut(samples.len());
        let middle = cut.and_then(|cut| Some((*samples.get(cut)?, *samples.iter().rev().nth(cut)?)));
        Self {
            median: median(samples),
            interval: middle,
        }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.3}", self.median)?;
        match self.interval {
            Some((low, high)) => write!(formatter, " [{low:.3}, {high:.3}]"),
            None => write!(formatter, " [too few rounds]"),
        }
    }
}

/// How many of the smallest and of the largest of so many samples lie outside the interval. Each sample is below
/// the true median with a chance of one half, whatever their distribution: how many are below is binomial.
fn cut(samples: usize) -> Option<usize> {
    const OUTSIDE: f64 = 0.025;
    let count = samples as f64;
    // The chance that exactly so many, at first none, are below.
    let mut chance = 0.5_f64.powf(count);
    let mut sum = 0.0;
    let mut below = 0_usize;
    while sum + chance <= OUTSIDE {
        sum += chance;
        chance *= (count - below as f64) / (below as f64 + 1.0);
        below += 1;
    }
    below.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::{median, Estimate};

    /// Tables of the sign test have these ranks.
    #[test]
    fn the_interval_is_as_wide_as_the_number_of_samples_demands() {
        let interval = |count: usize| {
            let samples = (1..=count).map(|number| number as f64).rev();
            Estimate::of(samples.collect()).interval
        };
        assert_eq!(interval(0), None);
        assert_eq!(interval(5), None);
        assert_eq!(interval(6), Some((1.0, 6.0)));
        assert_eq!(interval(9), Some((2.0, 8.0)));
        assert_eq!(interval(20), Some((6.0, 15.0)));
        assert_eq!(interval(41), Some((14.0, 28.0)));
        assert_eq!(interval(100), Some((40.0, 61.0)));
    }

    #[test]
    fn an_estimate_says_how_certain_it_is() {
        let estimate = Estimate::of(vec![1.5, 1.0, 2.0, 3.0, 1.25, 1.75]);
        assert_eq!(estimate.to_string(), "1.625 [1.000, 3.000]");
        assert_eq!(Estimate::of(vec![1.0]).to_string(), "1.000 [too few rounds]");
    }

    #[test]
    fn one_outlier_moves_nothing() {
        assert_eq!(median(vec![1000.0, 2.0, 3.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }
}
