//! Answers: noise of the declared size, the gate, and what is said when nothing is released.

use alloy_primitives::B256;
use rochdale_compute::engine::Exact;
use rochdale_compute::release::{Evaluated, Gate, ReleaseError, release};
use rochdale_core::expect::Expected;
use rochdale_core::query::{Answer, Ask, Cohort, Figure, Of, Outcome, Query, Withheld};

use crate::world::{code, query};

const SNAPSHOT: B256 = B256::repeat_byte(7);

/// A query that leaves `rho` for its figures and its gate: a sixteenth of the whole pays for the number of those left out.
fn with_rho(ask: Ask, rho: u64) -> Query {
    Query { rho: rho * 16 / 15, ..query(Cohort::default(), ask) }
}

fn mean(lower: i64, upper: i64) -> Ask {
    Ask::Mean { of: Of::Observation(code(0)), rows: 4, lower, upper }
}

fn figures(answer: &Answer) -> Vec<Figure> {
    match &answer.outcome {
        Outcome::Released { figures } => figures.clone(),
        Outcome::Withheld { reason } => panic!("withheld: {reason:?}"),
    }
}

fn answered(query: &Query, exact: &Exact) -> Vec<Figure> {
    figures(&release(query, &found(exact), SNAPSHOT, &Gate::default()).unwrap())
}

fn found(exact: &Exact) -> Evaluated {
    Evaluated { exact: exact.clone(), left_out: 0 }
}

fn reason(query: &Query, exact: &Exact, gate: &Gate) -> Option<Withheld> {
    match release(query, &found(exact), SNAPSHOT, gate).unwrap().outcome {
        Outcome::Withheld { reason } => Some(reason),
        Outcome::Released { .. } => None,
    }
}

/// Mean and standard deviation of a sample.
fn moments(sample: &[f64]) -> (f64, f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    (mean, (sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
}

#[test]
fn an_answer_names_query_snapshot_and_charge() {
    let query = with_rho(Ask::Count {}, 15_000_000);
    let answer = release(&query, &found(&Exact::Count { members: 1_000 }), SNAPSHOT, &Gate::default()).unwrap();
    assert_eq!((answer.query, answer.snapshot), (query.digest().unwrap(), SNAPSHOT));
    assert_eq!((answer.rho, answer.gate_rho), (16_000_000, 15_000_000));
    let [figure] = figures(&answer)[..] else { panic!("one figure") };
    assert_eq!((figure.scale, figure.sigma_milli), (1, 5_774), "sigma is 5.7735, and rounded up");
    assert_eq!((answer.left_out.scale, answer.left_out.sigma_milli), (1, 22_361), "sigma is 22.36 at 1/1000");
    answer.digest().unwrap();
}

/// ρ 0.02 and sensitivity 1: σ = 5. Bounds are six standard errors wide.
#[test]
fn counts_carry_the_noise_that_rho_pays_for() {
    let query = with_rho(Ask::Count {}, 20_000_000);
    let draws = 2_000;
    let sample: Vec<f64> =
        (0..draws).map(|_| answered(&query, &Exact::Count { members: 1_000 })[0].value as f64).collect();
    let (mean, deviation) = moments(&sample);
    assert!((mean - 1_000.0).abs() < 6.0 * 5.0 / f64::from(draws).sqrt(), "mean {mean}");
    assert!((deviation / 5.0 - 1.0).abs() < 6.0 / f64::from(2 * draws).sqrt(), "deviation {deviation}");
}

/// The centred sum has σ = 8,500 / √(2 · 0.01) ≈ 60,104; over 10,000 members the mean's noise is about 6 milli-units.
#[test]
fn a_mean_is_near_the_truth() {
    let query = with_rho(mean(3_000, 20_000), 20_000_000);
    let exact = Exact::Mean { sum: 6_500 * 10_000, members: 10_000 };
    let sample: Vec<f64> = (0..600).map(|_| answered(&query, &exact)[0].value as f64).collect();
    let (mean, deviation) = moments(&sample);
    // The count's noise (σ 7.07) moves the mean by |6,500 − 11,500| · 7.07 / 10,000 ≈ 3.5 beside the sum's 6.0.
    let sigma = (6.0104f64.powi(2) + 3.5355f64.powi(2)).sqrt();
    assert!((mean - 6_500.0).abs() < 6.0 * sigma / 600f64.sqrt() + 0.5, "mean {mean}");
    assert!((deviation / sigma - 1.0).abs() < 6.0 / 1_200f64.sqrt(), "deviation {deviation}");
}

#[test]
fn a_mean_stays_within_its_bounds_whatever_the_noise() {
    let query = with_rho(mean(0, 1_000_000_000_000), 1_000);
    let gate = Gate { min_cohort: 1 };
    let mut released = 0;
    for _ in 0..300 {
        let answer = release(&query, &found(&Exact::Mean { sum: 0, members: 600 }), SNAPSHOT, &gate).unwrap();
        if let Outcome::Released { figures } = answer.outcome {
            released += 1;
            assert!((0..=1_000_000_000_000).contains(&figures[0].value), "{}", figures[0].value);
            assert!(figures[0].scale == 1_000 && figures[0].sigma_milli > 0);
        }
    }
    assert!(released > 0);
}

#[test]
fn a_histogram_has_a_noisy_figure_per_bin() {
    let ask = Ask::Histogram { of: Of::Age {}, rows: 1, edges: vec![0, 18_000, 65_000, 150_000] };
    let query = with_rho(ask, 800_000_000);
    let sample: Vec<Vec<Figure>> =
        (0..500).map(|_| answered(&query, &Exact::Histogram { bins: vec![40, 0, 1_000] })).collect();
    for (bin, truth) in [40.0, 0.0, 1_000.0].into_iter().enumerate() {
        let values: Vec<f64> = sample.iter().map(|figures| figures[bin].value as f64).collect();
        let (mean, deviation) = moments(&values);
        // ⅞ of 0.8: σ = 1 / √1.4 = 0.845. A count of nobody is noised like any other and may be negative.
        assert!((mean - truth).abs() < 6.0 * 0.845 / 500f64.sqrt(), "bin {bin}: mean {mean}");
        assert!((deviation / 0.845 - 1.0).abs() < 0.2, "bin {bin}: deviation {deviation}");
    }
    assert!(sample.iter().all(|figures| figures.len() == 3));
}

#[test]
fn a_small_cohort_is_withheld() {
    let query = with_rho(Ask::Count {}, 1_000_000_000);
    let gate = Gate::default();
    assert_eq!(reason(&query, &Exact::Count { members: 0 }, &gate), Some(Withheld::CohortTooSmall));
    assert_eq!(reason(&query, &Exact::Count { members: 24 }, &gate), None);
    assert_eq!(reason(&query, &Exact::Count { members: 12 }, &Gate { min_cohort: 3 }), None);
    let nobody = Exact::Histogram { bins: vec![0, 0] };
    let ask = Ask::Histogram { of: Of::Age {}, rows: 1, edges: vec![0, 1, 2] };
    let histogram = with_rho(ask, 1_000_000_000);
    assert_eq!(reason(&histogram, &nobody, &gate), Some(Withheld::CohortTooSmall));
}

/// Who was left out is told like everything else: noisy, also where nothing else is told.
#[test]
fn the_number_left_out_is_noised_and_said_whatever_the_outcome() {
    let query = with_rho(Ask::Count {}, 15_000_000);
    let told = |members| -> Vec<f64> {
        let lost = Evaluated { exact: Exact::Count { members }, left_out: 200 };
        (0..600).map(|_| release(&query, &lost, SNAPSHOT, &Gate::default()).unwrap().left_out.value as f64).collect()
    };
    for members in [0, 1_000] {
        let (mean, deviation) = moments(&told(members));
        assert!((mean - 200.0).abs() < 6.0 * 22.36 / 600f64.sqrt(), "mean {mean}");
        assert!((deviation / 22.36 - 1.0).abs() < 6.0 / 1_200f64.sqrt(), "deviation {deviation}");
    }
}

/// At the threshold an exact gate would always decide the same way, and tell whether one member is there.
#[test]
fn the_gate_reads_a_noisy_count() {
    let query = with_rho(Ask::Count {}, 20_000_000);
    let kept = (0..200).filter(|_| reason(&query, &Exact::Count { members: 10 }, &Gate::default()).is_some()).count();
    assert!((40..160).contains(&kept), "{kept} of 200 withheld");
}

#[test]
fn a_gate_without_a_threshold_never_divides_by_nobody() {
    let query = with_rho(mean(-5, 5), 1_000);
    let gate = Gate { min_cohort: 0 };
    for _ in 0..200 {
        release(&query, &found(&Exact::Mean { sum: 0, members: 0 }), SNAPSHOT, &gate).unwrap();
    }
}

#[test]
fn a_result_of_another_query_is_refused() {
    let count = with_rho(Ask::Count {}, 1_000);
    let histogram = with_rho(Ask::Histogram { of: Of::Age {}, rows: 1, edges: vec![0, 1, 2] }, 1_000);
    for (query, exact) in [
        (&count, Exact::Mean { sum: 1, members: 1 }),
        (&histogram, Exact::Count { members: 30 }),
        (&histogram, Exact::Histogram { bins: vec![1, 2, 3] }),
    ] {
        let error = release(query, &found(&exact), SNAPSHOT, &Gate::default()).unwrap_err();
        assert!(matches!(error, ReleaseError::Mismatch(_)), "{error}");
    }
}

#[test]
fn exact_results_do_not_print() {
    let shown = format!("{:?}", Exact::Mean { sum: 424_242, members: 31_337 });
    assert!(!shown.contains("424") && !shown.contains("313"), "{shown}");
}

/// Issue 10, point 1: the interval holds the exact figure as often as it says. Noise comes from the system's entropy and cannot be
/// seeded, so the draws are many instead: of 5,000 with a chance of 95%, fewer than 93% come by chance once in 10^10 times.
#[test]
fn the_95_percent_interval_of_every_figure_covers_the_exact_one() {
    const DRAWS: usize = 5_000;
    let covered = |query: &Query, exact: &Exact, truth: &[i128]| {
        let mut held = vec![0; truth.len()];
        for _ in 0..DRAWS {
            for ((held, figure), truth) in held.iter_mut().zip(answered(query, exact)).zip(truth) {
                let (low, high) = figure.interval_95();
                *held += usize::from((low..=high).contains(truth));
            }
        }
        assert!(held.iter().all(|held| held * 100 >= DRAWS * 93), "{:?}: {held:?} of {DRAWS}", query.ask);
    };
    // A σ of 1 is the hardest for integers: ±1.96 without rounding outwards would cover 88%.
    for rho in [20_000_000, 500_000_000, 900_000_000] {
        covered(&with_rho(Ask::Count {}, rho), &Exact::Count { members: 1_000 }, &[1_000]);
    }
    let bins = Ask::Histogram { of: Of::Age {}, rows: 1, edges: vec![0, 18_000, 65_000, 150_000] };
    covered(&with_rho(bins, 40_000_000), &Exact::Histogram { bins: vec![40, 0, 1_000] }, &[40, 0, 1_000]);
    // A mean far from the centre, of many and of few: there the count's noise matters as much as the sum's.
    for (members, rho) in [(10_000i128, 20_000_000), (60, 100_000_000)] {
        let exact = Exact::Mean { sum: 4_000 * members, members: members as u64 };
        covered(&with_rho(mean(3_000, 20_000), rho), &exact, &[4_000, members]);
    }
}

#[test]
fn what_was_expected_before_the_order_is_what_the_answer_carries() {
    let edges = vec![0, 10, 20, 30];
    let bins = Ask::Histogram { of: Of::Observation(code(0)), rows: 4, edges };
    for (ask, exact) in [
        (Ask::Count {}, Exact::Count { members: 1_000 }),
        (bins, Exact::Histogram { bins: vec![400, 300, 300] }),
        // Everybody's value lies at a bound: the most that a mean can be off.
        (mean(3_000, 20_000), Exact::Mean { sum: 20_000_000_000, members: 1_000_000 }),
    ] {
        let query = with_rho(ask, 15_000_000);
        let expected = Expected::of(&query, 1_000_000, 10);
        let answered = answered(&query, &exact);
        for (place, figure) in answered.iter().enumerate() {
            let told = expected.figures[place.min(expected.figures.len() - 1)];
            assert_eq!(told.scale, figure.scale, "{query:?}");
            // OpenDP confirms a scale that lies some units of the last place higher; a mean is of the noisy count.
            let apart = told.sigma_milli.abs_diff(figure.sigma_milli);
            assert!(apart <= 1 + figure.sigma_milli / 1_000, "{query:?}: {told:?}, answered {figure:?}");
        }
    }
}
