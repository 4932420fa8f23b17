//! Velocities put together by the time at which they were measured.
//!
//! Both arms of an exposure have one time, so a sinusoid has one value there. What the arms disagree about beyond their means says
//! nothing on it, and what they share (a star that varies without a period) must not count twice. So the sinusoid is held against the
//! scatter between times alone.

/// Arms that can have a mean of their own.
pub const ARMS: usize = 2;

/// Velocities of one star by time. The numbers of an epoch are in the same place of each list.
#[derive(Clone, Debug, PartialEq)]
pub struct Epochs {
    /// Time since the first epoch, days; ascending, each once.
    pub time_d: Vec<f64>,
    /// Weight of each arm's velocity, 1 / (km/s)^2; 0 where there is none.
    pub weight: [Vec<f64>; ARMS],
    /// Sum of the weights of each arm.
    pub total: [f64; ARMS],
}

/// Velocities of the epochs about the means of their arms, as the periodogram wants them.
#[derive(Clone, Debug, PartialEq)]
pub struct Deviations {
    /// Sum over the arms of weight times velocity less the arm's mean, in the order of the epochs.
    pub weighted: Vec<f64>,
    /// chi^2 about the means of the arms that a curve with any value at each time would take away.
    pub chi2_between: f64,
}

impl Epochs {
    /// Puts velocities together, each (time in days, velocity, error, arm); the second value has their velocities in the order of the
    /// epochs, 0 where there is none. Numbers that are not finite, errors that are not positive and arms that there are not are left out.
    pub fn of(
        velocities: impl Iterator<Item = (f64, f64, f64, usize)>,
    ) -> (Self, [Vec<f64>; ARMS]) {
        let is_usable = |&(time, rv, err, arm): &(f64, f64, f64, usize)| {
            let weight = 1.0 / (err * err);
            let numbers = [time, rv, weight];
            numbers.iter().all(|x| x.is_finite()) && err > 0.0 && weight > 0.0 && arm < ARMS
        };
        let mut usable: Vec<_> = velocities.filter(is_usable).collect();
        usable.sort_by(|a, b| a.0.total_cmp(&b.0));
        let first_d = usable.first().map_or(0.0, |v| v.0);
        let mut epochs = Epochs {
            time_d: Vec::new(),
            weight: Default::default(),
            total: [0.0; ARMS],
        };
        let mut rv: [Vec<f64>; ARMS] = Default::default();
        for (time_d, rv_km_s, err_km_s, arm) in usable {
            let time_d = time_d - first_d;
            if epochs.time_d.last() != Some(&time_d) {
                epochs.time_d.push(time_d);
                for list in epochs.weight.iter_mut().chain(&mut rv) {
                    list.push(0.0);
                }
            }
            let here = epochs.time_d.len() - 1;
            let weight = 1.0 / (err_km_s * err_km_s);
            // Several velocities of one arm and time are one, their weighted mean.
            let sum = epochs.weight[arm][here] + weight;
            rv[arm][here] += (rv_km_s - rv[arm][here]) * (weight / sum);
            epochs.weight[arm][here] = sum;
        }
        epochs.total = [0, 1].map(|arm| epochs.weight[arm].iter().sum());
        (epochs, rv)
    }

    /// Number of epochs.
    pub fn len(&self) -> usize {
        self.time_d.len()
    }

    /// Days from the first epoch to the last.
    pub fn span_d(&self) -> f64 {
        self.time_d.last().copied().unwrap_or(0.0)
    }

    /// Weight of an epoch, of both arms.
    pub fn weight_of(&self, epoch: usize) -> f64 {
        self.weight[0][epoch] + self.weight[1][epoch]
    }

    /// Weight that a difference of the two arms at an epoch has.
    fn both(&self, epoch: usize) -> f64 {
        let (a, b) = (self.weight[0][epoch], self.weight[1][epoch]);
        if a > 0.0 && b > 0.0 {
            a * b / (a + b)
        } else {
            0.0
        }
    }

    /// Degrees of freedom that the scatter between times has about the means of the arms.
    pub fn dof(&self) -> usize {
        let has_both_arms = self.total.iter().all(|w| *w > 0.0);
        let is_apart = has_both_arms && (0..self.len()).all(|i| self.both(i) == 0.0);
        self.len().saturating_sub(1 + usize::from(is_apart))
    }

    /// Velocities in the order of the epochs, about the means of their arms.
    pub fn deviations(&self, rv: &[Vec<f64>; ARMS]) -> Deviations {
        let mean = [0, 1].map(|arm: usize| {
            let sum: f64 = products(&self.weight[arm], &rv[arm]).sum();
            if self.total[arm] > 0.0 {
                sum / self.total[arm]
            } else {
                0.0
            }
        });
        // What is left of each velocity without the mean of its arm.
        let off = |epoch: usize| [0, 1].map(|arm: usize| rv[arm][epoch] - mean[arm]);
        let (mut weighted, mut chi2) = (Vec::with_capacity(self.len()), 0.0);
        let (mut both, mut apart) = (0.0, 0.0);
        for epoch in 0..self.len() {
            let off = off(epoch);
            let [a, b] = [0, 1].map(|arm: usize| self.weight[arm][epoch] * off[arm]);
            weighted.push(a + b);
            chi2 += a * off[0] + b * off[1];
            both += self.both(epoch);
            apart += self.both(epoch) * (off[0] - off[1]);
        }
        let apart = if both > 0.0 { apart / both } else { 0.0 };
        let within: f64 = (0..self.len())
            .map(|epoch| {
                let off = off(epoch);
                self.both(epoch) * (off[0] - off[1] - apart).powi(2)
            })
            .sum();
        Deviations {
            weighted,
            chi2_between: chi2 - within,
        }
    }
}

fn products<'a>(a: &'a [f64], b: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    a.iter().zip(b).map(|(a, b)| a * b)
}
