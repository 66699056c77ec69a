//! Whether a text is a UCUM unit: the grammar in full, over the atoms that health records use.
//!
//! Source: The Unified Code for Units of Measure, version 2.1, sections 2 and 4. The atom list is a selection; a rare
//! unit outside it counts as unknown, which costs a record one check and never rejects it.

/// Atoms that take a metric prefix.
const METRIC: &str = " m g s L l mol K Cel A V W J N Pa Hz bit By U [IU] [iU] eq osm kat cal B Bq Gy Sv Ci Ohm F lm lx cd Wb T H S rad sr t bar \
    Np P dyn erg Gal G R RAD REM m[H2O] m[Hg] st ar u eV [CFU] ";
/// Atoms that take none.
const PLAIN: &str = " min h d a mo wk mo_j a_j mo_g a_g ' '' deg gon % [ppth] [ppm] [ppb] [pptr] [pH] [APL'U] [GPL'U] [MPL'U] [arb'U] [AU] \
    [Btu] [Cal] [degF] [ft_i] [in_i] [mi_i] [yd_i] [lb_av] [oz_av] [gr] [drp] [foz_us] [gal_us] [pt_us] [qt_us] [cup_us] [tbs_us] \
    [tsp_us] [psi] [pi] [sin_i] [sft_i] [diop] [HPF] [LPF] [hnsf'U] [PFU] [FFU] [TCID_50] [EID_50] [CCID_50] [D'ag'U] [Amb'a'1'U] \
    [beth'U] [todd'U] [dye'U] [smgy'U] [bdsk'U] [kn'U] [mclg'U] [tb'U] [USP'U] [ka'U] [Ch] [mesh_i] [MET] [p'diop] [S] [Lf] [LD_50] \
    [hp_X] [hp_C] [nmi_i] [stone_av] [in_i'H2O] [in_i'Hg] [PRU] [wood'U] [anti'Xa'U] [bcpn'U] [ELU] [EU] bit_s sph circ Lmb 10* 10^ ";
const PREFIXES: [&str; 24] = [
    "Y", "Z", "E", "P", "T", "G", "M", "k", "h", "da", "d", "c", "m", "u", "n", "p", "f", "a", "z", "y", "Ki", "Mi",
    "Gi", "Ti",
];

/// Whether the text is a unit by UCUM's case-sensitive grammar.
#[must_use]
pub fn unit_is_valid(unit: &str) -> bool {
    if unit.is_empty() || unit.len() > 64 || !unit.bytes().all(|b| (b'!'..=b'~').contains(&b)) {
        return false;
    }
    let rest = unit.strip_prefix('/').unwrap_or(unit);
    matches!(term(rest, 0), Some(""))
}

/// `component ([./] component)*`; what follows it is returned.
fn term(text: &str, depth: usize) -> Option<&str> {
    let mut rest = component(text, depth)?;
    while let Some(next) = rest.strip_prefix(['.', '/']) {
        rest = component(next, depth)?;
    }
    Some(rest)
}

fn component(text: &str, depth: usize) -> Option<&str> {
    if let Some(inner) = text.strip_prefix('(') {
        return if depth < 8 { term(inner, depth + 1)?.strip_prefix(')') } else { None };
    }
    if text.starts_with('{') {
        return annotation(text);
    }
    let end = simple_end(text);
    let (simple, rest) = text.split_at(end);
    if simple.is_empty() || !(is_factor(simple) || is_unit(simple)) {
        return None;
    }
    if rest.starts_with('{') { annotation(rest) } else { Some(rest) }
}

/// Where a unit with its exponent ends: operators and braces inside square brackets belong to the atom.
fn simple_end(text: &str) -> usize {
    let mut inside = false;
    text.bytes()
        .position(|b| {
            inside = (inside || b == b'[') && b != b']';
            !inside && matches!(b, b'.' | b'/' | b'(' | b')' | b'{' | b'}')
        })
        .unwrap_or(text.len())
}

fn annotation(text: &str) -> Option<&str> {
    let (inside, rest) = text.strip_prefix('{')?.split_once('}')?;
    (!inside.contains('{')).then_some(rest)
}

fn is_factor(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn is_unit(text: &str) -> bool {
    if is_atom(text) {
        return true;
    }
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return false;
    }
    let base = &text[..text.len() - digits];
    is_atom(base) || base.strip_suffix(['+', '-']).is_some_and(is_atom)
}

fn is_atom(text: &str) -> bool {
    listed(METRIC, text)
        || listed(PLAIN, text)
        || PREFIXES.iter().any(|prefix| text.strip_prefix(prefix).is_some_and(|atom| listed(METRIC, atom)))
}

fn listed(list: &str, atom: &str) -> bool {
    !atom.is_empty() && list.split_ascii_whitespace().any(|known| known == atom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_units_of_records() {
        for unit in [
            "mg/dL",
            "mmol/L",
            "mm[Hg]",
            "kg/m2",
            "/min",
            "{score}",
            "%",
            "10*3/uL",
            "10*6/uL",
            "mL/min/{1.73_m2}",
            "mL/min/1.73.m2",
            "Cel",
            "[degF]",
            "[in_i]",
            "[lb_av]",
            "[pH]",
            "{#}",
            "{INR}",
            "U/L",
            "m[IU]/L",
            "ug/L",
            "ng/mL",
            "meq/L",
            "fL",
            "pg",
            "g/dL",
            "s",
            "a",
            "mo",
            "/[HPF]",
            "L/min",
            "mg/g{creat}",
            "kPa",
            "10*-3",
            "cm",
            "1",
            "mosm/kg",
            "(ug/L)/h",
            "u[IU]/mL",
            "{beats}/min",
        ] {
            assert!(unit_is_valid(unit), "{unit}");
        }
    }

    #[test]
    fn refuses_what_is_printed_text() {
        for unit in [
            "",
            "mmHg",
            "mg/dl/",
            "beats/min",
            "x10^3/uL",
            "lbs",
            "mg per dL",
            "µg/L",
            "mg//dL",
            "(mg",
            "{open",
            "mg{a}b",
            "years",
            "BPM",
            "degC",
            "kgg",
            "[made'up]",
            "mg/dL)",
            ".",
            "2+",
            "((((((((((m))))))))))",
        ] {
            assert!(!unit_is_valid(unit), "{unit}");
        }
    }
}
