//! Numbers of several rounds.

use std::{fmt::Write as _, time::Duration};

use crate::client::Answered;

/// What one round gave.
#[derive(Clone, Copy)]
pub struct Measured {
    /// Answers per second.
    rate: f64,
    /// Microseconds of the server's CPU time per answer.
    cpu_micros: f64,
}

impl Measured {
    pub fn new(answered: Answered, cpu: Duration) -> Self {
        let count = f64::from(answered.count);
        Self {
            rate: count / answered.elapsed.as_secs_f64(),
            cpu_micros: cpu.as_secs_f64() * 1e6 / count,
        }
    }
}

/// What the rounds of one server gave, in their order.
pub struct Figures(Vec<Measured>);

impl Figures {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn add(&mut self, measured: Measured) {
        self.0.push(measured);
    }

    pub fn rates(&self) -> Spread {
        Spread::of(self.0.iter().map(|measured| measured.rate))
    }

    pub fn cpu_micros(&self) -> Spread {
        Spread::of(self.0.iter().map(|measured| measured.cpu_micros))
    }

    /// The ratios of rate and of CPU time, each formed within a round: what disturbs a whole round
    /// disturbs both of its servers.
    pub fn ratios_to(&self, other: &Self) -> (Spread, Spread) {
        let pairs = || self.0.iter().zip(&other.0);
        let rate = Spread::of(pairs().map(|(this, other)| this.rate / other.rate));
        let cpu = Spread::of(pairs().map(|(this, other)| this.cpu_micros / other.cpu_micros));
        (rate, cpu)
    }
}

/// A median with the extremes.
pub struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    /// # Panics
    /// If there are no values.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        Self { least: values[0], median: values[values.len() / 2], most: values[values.len() - 1] }
    }

    /// In whole numbers, thousands set off by commas.
    pub fn whole(&self) -> String {
        let [median, least, most] = [self.median, self.least, self.most].map(with_commas);
        format!("{median} ({least} to {most})")
    }

    /// With two decimals.
    pub fn fine(&self) -> String {
        format!("{:.2} ({:.2} to {:.2})", self.median, self.least, self.most)
    }
}

fn with_commas(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let separator =
            if index > 0 && (digits.len() - index).is_multiple_of(3) { "," } else { "" };
        let _ = write!(text, "{separator}{digit}");
    }
    text
}
