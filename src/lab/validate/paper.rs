//! What the paper (Xiong et al. 2021) shows in each of its figures and tables, in words, and what stands for it here.

/// A figure or table of the paper.
pub struct Item {
    /// `Figure 8`.
    pub label: &'static str,
    /// Its subject.
    pub subject: &'static str,
    /// What the paper says of it.
    pub says: &'static str,
    /// The test that gives ours.
    pub section: &'static str,
    /// What is said of ours: a name in the section's facts.
    pub fact: &'static str,
    /// Our figures.
    pub figures: &'static [&'static str],
    /// Our tables, by how their titles begin.
    pub tables: &'static [&'static str],
}

/// All of them, in the paper's order.
pub const ITEMS: [Item; 11] = [
    Item {
        label: "Figure 1",
        subject: "Mock constant stars before and after correction",
        says: "200 constants, 30 exposures in 7 nights shifted by up to 7 km/s: after the correction the mean residual velocities are essentially within \
            0.50 km/s (section 3.3). No rms is given.",
        section: "mock",
        fact: "figure1",
        figures: &["figure1"],
        tables: &["Zero points of the mock"],
    },
    Item {
        label: "Figure 2",
        subject: "Velocity curves of three mock binaries",
        says: "The method reconstructs the curves well; residuals are smaller after correction, and what is left beyond 0.5 km/s is the random error of 0 to 2 km/s \
            in the mock (section 3.3).",
        section: "mock",
        fact: "figure2",
        figures: &["figure2"],
        tables: &[],
    },
    Item {
        label: "Table 1",
        subject: "The three mock binaries",
        says: "Periods 0.6894, 0.6373 and 2.9098 d, amplitudes 13.23, 13.01 and 5.91 km/s, inclinations 88.65, 88.15 and 81.79 degrees, circular.",
        section: "mock",
        fact: "table1",
        figures: &[],
        tables: &["Mock binaries"],
    },
    Item {
        label: "Figure 3",
        subject: "Velocities of constants by spectrograph and by exposure",
        says: "Zero points differ slightly between the 16 spectrographs; from exposure to exposure the mean can lie 3 km/s from zero, above all between nights; \
            the red arm is more stable than the blue (section 4).",
        section: "end-to-end",
        fact: "figure3",
        figures: &["figure3", "zero_point_errors"],
        tables: &["Zero points against the truth"],
    },
    Item {
        label: "Figure 4",
        subject: "Measurement error against SNR",
        says: "The error falls with SNR; it is larger in the red arm, where H-alpha is usually the only prominent line. Strips at high SNR are multiple stars \
            (section 4).",
        section: "end-to-end",
        fact: "figure4",
        figures: &["figure4"],
        tables: &[],
    },
    Item {
        label: "Figure 5",
        subject: "Velocity variation of the constants before and after",
        says: "Mean Var_rv 1.30 km/s before and near zero after in the red arm, 1.19 before and 0.06 after in the blue; after calibration almost all below \
            0.5 km/s (section 4).",
        section: "end-to-end",
        fact: "figure5",
        figures: &["figure5", "pulls"],
        tables: &["Velocities against the truth", "What stars were taken for"],
    },
    Item {
        label: "Figure 6",
        subject: "Fibre to fibre, red arm",
        says: "The mean per fibre is around 0 with a dispersion of 0.1 km/s, the limit of the calibration (section 4).",
        section: "end-to-end",
        fact: "figure6_7",
        figures: &["figure6_7"],
        tables: &[],
    },
    Item {
        label: "Figure 7",
        subject: "Fibre to fibre, blue arm",
        says: "As figure 6, in the blue arm.",
        section: "end-to-end",
        fact: "figure6_7",
        figures: &[],
        tables: &[],
    },
    Item {
        label: "Table 2",
        subject: "The catalogue",
        says: "ra, dec, hjd, and for each arm SNR, DRV, its error and the corrected DRV; the corrected velocities shown are within 0.15 km/s of 0 where the \
            errors are 0.4 to 3.8 km/s.",
        section: "end-to-end",
        fact: "table2",
        figures: &[],
        tables: &["First rows of the catalogue"],
    },
    Item {
        label: "Figure 8",
        subject: "Precision by spectral type and SNR",
        says: "From 1,000 simulated spectra for each type and SNR: precision improves with SNR; it is relatively low for O, B and A below SNR 40, above all in the blue arm, \
            where they have few lines; F, G, K and M have relatively high precision even at low SNR (section 5). No numbers are given.",
        section: "precision",
        fact: "figure8",
        figures: &["figure8", "figure8_ratios"],
        tables: &[
            "Simulated stars",
            "Scatter (km/s)",
            "Scatter / Cramer-Rao bound",
            "Quoted error / scatter",
            "Pull width",
            "Velocities that are flagged",
        ],
    },
    Item {
        label: "Figure 9",
        subject: "Stars that change their temperature",
        says: "6500 K and 7000 K against 6000 K ([Fe/H] = -1, log g = 2.5): precision improves with SNR and is higher for the smaller change; velocities are \
            reliable even if the temperature changes by 1000 K (section 5). No numbers are given.",
        section: "pulsators",
        fact: "figure9",
        figures: &["figure9"],
        tables: &[
            "Bias (km/s)",
            "Scatter about",
            "Scatter / Cramer-Rao",
            "Quoted error",
        ],
    },
];
