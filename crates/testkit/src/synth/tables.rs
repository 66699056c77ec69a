//! Rough orders of magnitude, for demonstrations and tests. **Not epidemiology**: prevalences are rounded guesses at
//! adult populations of high-income countries, with no source to cite and none claimed.

/// A condition with what usually goes with it.
pub struct Illness {
    /// SNOMED CT code.
    pub code: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// How many of 1,000 have it at ages 0–17, 18–39, 40–64, 65 and over.
    pub permille: [u16; 4],
    /// `Some("female")` or `Some("male")` where only they have it.
    pub sex: Option<&'static str>,
    /// Whether it passes.
    pub passes: bool,
    /// RxNorm ingredient and name of a usual medication.
    pub medication: Option<(&'static str, &'static str)>,
}

const fn lasting(
    code: &'static str,
    name: &'static str,
    permille: [u16; 4],
    medication: (&'static str, &'static str),
) -> Illness {
    Illness { code, name, permille, sex: None, passes: false, medication: Some(medication) }
}

const fn passing(code: &'static str, name: &'static str, permille: [u16; 4]) -> Illness {
    Illness { code, name, permille, sex: None, passes: true, medication: None }
}

/// The conditions.
pub const ILLNESSES: [Illness; 20] = [
    lasting("59621000", "Essential hypertension", [2, 70, 330, 620], ("29046", "lisinopril")),
    lasting("44054006", "Type 2 diabetes mellitus", [2, 25, 130, 240], ("6809", "metformin")),
    lasting("55822004", "Hyperlipidemia", [5, 80, 320, 500], ("83367", "atorvastatin")),
    lasting("195967001", "Asthma", [85, 80, 75, 65], ("435", "albuterol")),
    lasting("13645005", "Chronic obstructive lung disease", [0, 8, 60, 120], ("69120", "tiotropium")),
    lasting("370143000", "Major depressive disorder", [30, 90, 80, 50], ("36437", "sertraline")),
    lasting("396275006", "Osteoarthritis", [0, 15, 140, 330], ("5640", "ibuprofen")),
    lasting("235595009", "Gastroesophageal reflux disease", [10, 90, 170, 200], ("7646", "omeprazole")),
    lasting("433144002", "Chronic kidney disease stage 3", [0, 4, 35, 170], ("52175", "losartan")),
    lasting("40930008", "Hypothyroidism", [3, 20, 50, 80], ("10582", "levothyroxine")),
    lasting("37796009", "Migraine", [50, 150, 120, 50], ("37418", "sumatriptan")),
    lasting("49436004", "Atrial fibrillation", [0, 3, 20, 100], ("11289", "warfarin")),
    lasting("53741008", "Coronary arteriosclerosis", [0, 6, 60, 190], ("1191", "aspirin")),
    lasting("271737000", "Anemia", [25, 50, 45, 100], ("24947", "ferrous sulfate")),
    Illness {
        code: "254837009",
        name: "Malignant neoplasm of breast",
        permille: [0, 2, 22, 60],
        sex: Some("female"),
        passes: false,
        medication: Some(("10324", "tamoxifen")),
    },
    Illness {
        code: "399068003",
        name: "Malignant tumor of prostate",
        permille: [0, 0, 12, 90],
        sex: Some("male"),
        passes: false,
        medication: Some(("83008", "bicalutamide")),
    },
    passing("444814009", "Viral sinusitis", [250, 220, 180, 120]),
    passing("10509002", "Acute bronchitis", [180, 150, 160, 180]),
    passing("195662009", "Acute viral pharyngitis", [300, 180, 120, 80]),
    passing("65363002", "Otitis media", [350, 40, 20, 15]),
];

/// A measurement; numbers in thousandths of the unit.
pub struct Measure {
    /// LOINC code.
    pub code: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// UCUM unit.
    pub unit: &'static str,
    /// Its mean in healthy adults.
    pub mean: i64,
    /// Its standard deviation.
    pub deviation: i64,
    /// The lowest and highest value drawn.
    pub bounds: [i64; 2],
    /// Decimal places reported.
    pub places: u32,
    /// A condition that shifts the mean, and by how much.
    pub shift: Option<(&'static str, i64)>,
}

const fn measure(
    (code, name, unit): (&'static str, &'static str, &'static str),
    (mean, deviation): (i64, i64),
    bounds: [i64; 2],
    places: u32,
    shift: Option<(&'static str, i64)>,
) -> Measure {
    Measure { code, name, unit, mean, deviation, bounds, places, shift }
}

/// Vital signs besides height, weight and blood pressure.
pub const VITALS: [Measure; 4] = [
    measure(("8867-4", "Heart rate", "/min"), (74_000, 10_000), [45_000, 130_000], 0, Some(("49436004", 12_000))),
    measure(("9279-1", "Respiratory rate", "/min"), (15_000, 2_000), [9_000, 28_000], 0, Some(("13645005", 4_000))),
    measure(("8310-5", "Body temperature", "Cel"), (36_800, 300), [35_500, 39_500], 1, None),
    measure(("59408-5", "Oxygen saturation", "%"), (97_500, 900), [85_000, 100_000], 0, Some(("13645005", -4_000))),
];

/// Laboratory results.
pub const LABS: [Measure; 15] = [
    measure(("4548-4", "Hemoglobin A1c", "%"), (5_400, 300), [4_000, 14_000], 1, Some(("44054006", 2_000))),
    measure(("2345-7", "Glucose", "mg/dL"), (92_000, 9_000), [50_000, 450_000], 0, Some(("44054006", 60_000))),
    measure(("2160-0", "Creatinine", "mg/dL"), (900, 150), [400, 9_000], 2, Some(("433144002", 900))),
    measure(
        ("98979-8", "Glomerular filtration rate", "mL/min/{1.73_m2}"),
        (92_000, 12_000),
        [8_000, 130_000],
        0,
        Some(("433144002", -46_000)),
    ),
    measure(("2951-2", "Sodium", "mmol/L"), (140_000, 2_000), [125_000, 155_000], 0, None),
    measure(("2823-3", "Potassium", "mmol/L"), (4_200, 350), [2_800, 6_300], 1, None),
    measure(
        ("2093-3", "Total cholesterol", "mg/dL"),
        (182_000, 30_000),
        [90_000, 400_000],
        0,
        Some(("55822004", 45_000)),
    ),
    measure(("2085-9", "HDL cholesterol", "mg/dL"), (54_000, 12_000), [20_000, 110_000], 0, None),
    measure(
        ("13457-7", "LDL cholesterol", "mg/dL"),
        (105_000, 25_000),
        [30_000, 300_000],
        0,
        Some(("55822004", 40_000)),
    ),
    measure(("2571-8", "Triglycerides", "mg/dL"), (115_000, 40_000), [35_000, 900_000], 0, Some(("55822004", 60_000))),
    measure(("718-7", "Hemoglobin", "g/dL"), (14_000, 1_100), [6_000, 18_500], 1, Some(("271737000", -3_500))),
    measure(("6690-2", "Leukocytes", "10*3/uL"), (7_000, 1_600), [2_500, 20_000], 1, None),
    measure(("777-3", "Platelets", "10*3/uL"), (250_000, 50_000), [90_000, 600_000], 0, None),
    measure(("1742-6", "Alanine aminotransferase", "U/L"), (24_000, 9_000), [5_000, 200_000], 0, None),
    measure(("3016-3", "Thyrotropin", "m[IU]/L"), (2_000, 800), [200, 20_000], 2, Some(("40930008", 3_500))),
];

/// CVX code, name, and ages in years from which and to which it is given.
pub const VACCINES: [(&str, &str, [i64; 2]); 7] = [
    ("140", "Influenza, seasonal, injectable, preservative free", [1, 120]),
    ("20", "DTaP", [0, 6]),
    ("03", "MMR", [1, 12]),
    ("08", "Hep B, adolescent or pediatric", [0, 18]),
    ("113", "Td (adult), 5 Lf tetanus toxoid, preservative free, adsorbed", [18, 120]),
    ("33", "Pneumococcal polysaccharide PPV23", [65, 120]),
    ("187", "Zoster vaccine recombinant", [50, 120]),
];

/// SNOMED CT code and name of allergies.
pub const ALLERGIES: [(&str, &str); 3] =
    [("91935009", "Allergy to peanut"), ("91936005", "Allergy to penicillin"), ("300916003", "Latex allergy")];

/// SNOMED CT code and name of procedures.
pub const PROCEDURES: [(&str, &str); 3] =
    [("430193006", "Medication reconciliation"), ("73761001", "Colonoscopy"), ("40701008", "Echocardiography")];

/// Given names by sex; the number that is appended marks them as made up.
pub const GIVEN: [(&str, [&str; 6]); 2] = [
    ("female", ["Ada", "Beatrice", "Clara", "Edith", "Florence", "Grace"]),
    ("male", ["Alfred", "Bernard", "Charles", "Edmund", "Frank", "George"]),
];

/// Family names.
pub const FAMILY: [&str; 8] =
    ["Ashworth", "Bamford", "Cooper", "Greenwood", "Howarth", "Kershaw", "Smithies", "Tweedale"];
