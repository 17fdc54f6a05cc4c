//! Where the instructions of a call go: functions folded to the largest, and the tables of them.

use crate::bench::figures::{Call, Spent, Whose};
use crate::bench::goals::{GOALS, RECOURSE};
use crate::bench::judge::Figure;
use crate::bench::markdown::table;
use crate::bench::names::{short, whose};
use crate::bench::numbers::{count, or_none, whole};

/// How many functions of a row are named at most.
const MOST: usize = 10;
/// What a function takes of a call at least to be named, in hundredths.
const LEAST_PERCENT: f64 = 3.0;

/// A function's own instructions in a call, named as callgrind names it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) object: String,
    pub(super) instructions: f64,
}

/// The rows to profile: a goal of theirs is missed, by prepared handle, by time or by instructions.
pub(super) fn missed(calls: &[Call]) -> Vec<&'static str> {
    let ours = GOALS.iter().filter(|goal| goal.column == RECOURSE);
    let missed = ours.filter(|goal| {
        let mut judged = goal.judge(calls).into_iter().filter(|judged| judged.figure != Figure::Allocations);
        judged.any(|judged| judged.is_met() == Some(false))
    });
    missed.map(|goal| goal.case).collect()
}

/// The largest functions of a row; the others are added up by whose they are. `bare` is what the bare operation takes.
pub(super) fn fold(case: &str, functions: Vec<Function>, bare: Option<f64>) -> Vec<Spent> {
    let mut all: Vec<Spent> = Vec::new();
    for function in functions {
        let (name, whose) = (Some(short(&function.name, &function.object)), whose(&function.name));
        add(&mut all, case, whose, name, function.instructions);
    }
    split_loop(&mut all, bare.unwrap_or_default());
    all.sort_by(|a, b| b.instructions.total_cmp(&a.instructions));
    let least = LEAST_PERCENT / 100.0 * sum(&all);
    let named = all.iter().take(MOST).take_while(|spent| spent.instructions >= least).count();
    let others = all.split_off(named);
    for whose in Whose::ALL {
        let rest = others.iter().filter(|spent| spent.whose == whose).map(|spent| spent.instructions).sum();
        add(&mut all, case, whose, None, rest);
    }
    for spent in &mut all {
        spent.instructions = (spent.instructions * 10.0).round() / 10.0;
    }
    all.retain(|spent| spent.instructions != 0.0);
    all
}

/// Only as much of the bench's loop is the bench's as the bare operation takes with it: the compiler puts the beginning
/// and the end of a call into it, and those would stand as costs of the bench.
fn split_loop(all: &mut Vec<Spent>, bare: f64) {
    let of_bench = all.iter_mut().filter(|spent| spent.whose == Whose::Bench);
    let Some(around) = of_bench.max_by(|a, b| a.instructions.total_cmp(&b.instructions)) else {
        return;
    };
    let beyond = around.instructions - bare;
    if beyond > 0.0 {
        around.instructions = bare;
        let of_call = Spent { whose: Whose::Recourse, instructions: beyond, ..around.clone() };
        all.push(of_call);
    }
}

/// One name may stand for several functions: a closure's for its function's, a method's for those of all its types.
fn add(all: &mut Vec<Spent>, case: &str, whose: Whose, function: Option<String>, instructions: f64) {
    match all.iter_mut().find(|spent| spent.whose == whose && spent.function == function) {
        Some(spent) => spent.instructions += instructions,
        None => all.push(Spent { case: case.to_owned(), whose, function, instructions }),
    }
}

fn sum(spent: &[Spent]) -> f64 {
    spent.iter().map(|spent| spent.instructions).sum()
}

/// What is whose, a row each, and below it the functions.
pub(super) fn tables(all: &[Spent], calls: &[Call]) -> String {
    if all.is_empty() {
        return "No profile was made in this run.\n".to_owned();
    }
    let rows: Vec<&[Spent]> = all.chunk_by(|one, next| one.case == next.case).collect();
    let by_whose = rows.iter().map(|spent| {
        let total = sum(spent);
        let share = |whose| {
            let own: f64 =
                spent.iter().filter(|spent| spent.whose == whose).map(|spent| spent.instructions).sum();
            if own == 0.0 { "-".to_owned() } else { format!("{} ({})", whole(own), percent(own, total)) }
        };
        let [recourse, bench, clock, allocator, tokio, rest] = Whose::ALL.map(share);
        let case = &spent[0].case;
        [
            format!("`{case}`"),
            whole(total),
            at_most(case, calls),
            recourse,
            bench,
            clock,
            allocator,
            tokio,
            rest,
        ]
    });
    let [recourse, bench, clock, allocator, tokio, rest] = Whose::ALL.map(Whose::text);
    let heads = ["case", "instructions", "goal", recourse, bench, clock, allocator, tokio, rest];
    let functions = rows.iter().flat_map(|spent| functions(spent));
    format!(
        "{}\n{}",
        table(heads, by_whose),
        table(["case", "function", "whose", "instructions", "of the call"], functions)
    )
}

/// The named functions of a row, and its rest in one line.
fn functions(spent: &[Spent]) -> Vec<[String; 5]> {
    let (case, total) = (&spent[0].case, sum(spent));
    let line = |function: String, whose: String, instructions: f64| {
        [format!("`{case}`"), function, whose, whole(instructions), percent(instructions, total)]
    };
    let named = spent.iter().filter_map(|spent| {
        let function = spent.function.as_ref()?;
        Some(line(format!("`{function}`"), spent.whose.text().to_owned(), spent.instructions))
    });
    let mut lines: Vec<_> = named.collect();
    let rest: Vec<&Spent> = spent.iter().filter(|spent| spent.function.is_none()).collect();
    if !rest.is_empty() {
        let parts = rest.iter().map(|spent| format!("{} {}", spent.whose.text(), whole(spent.instructions)));
        let whose = parts.collect::<Vec<_>>().join(", ");
        lines.push(line("the rest".to_owned(), whose, rest.iter().map(|spent| spent.instructions).sum()));
    }
    lines
}

/// The instructions that the row's goal allows, where it speaks of them.
fn at_most(case: &str, calls: &[Call]) -> String {
    let goals = GOALS.iter().filter(|goal| goal.case == case && goal.column == RECOURSE);
    let mut judged = goals.flat_map(|goal| goal.judge(calls));
    let judged = judged.find(|judged| judged.figure == Figure::Instructions);
    judged.map_or_else(|| "-".to_owned(), |judged| or_none(judged.most, whole))
}

fn percent(part: f64, of: f64) -> String {
    let percent = 100.0 * part / of;
    if percent > 0.0 && percent < 0.5 { "< 1 %".to_owned() } else { format!("{} %", count(percent.round())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, instructions: f64) -> Function {
        Function { name: name.to_owned(), object: "libx".to_owned(), instructions }
    }

    fn folded(functions: Vec<Function>) -> Vec<(Option<String>, f64)> {
        fold("plain", functions, None).into_iter().map(|spent| (spent.function, spent.instructions)).collect()
    }

    #[test]
    fn the_largest_functions_are_named_and_the_small_ones_added_up_by_whose_they_are() {
        let functions = vec![
            function("recourse::small", 2.0),
            function("recourse::a::large", 60.0),
            function("malloc", 1.0),
            function("recourse::a::large::{{closure}}", 10.0),
            function("tokio::b::middle", 25.0),
            function("recourse::tiny", 2.02),
            function("started_up", -0.01),
        ];
        let name = |text: &str| Some(text.to_owned());
        assert_eq!(
            folded(functions.clone()),
            [(name("a::large"), 70.0), (name("b::middle"), 25.0), (None, 4.0), (None, 1.0)]
        );
        let rest: Vec<Whose> =
            fold("plain", functions, None).into_iter().skip(2).map(|spent| spent.whose).collect();
        assert_eq!(rest, [Whose::Recourse, Whose::Allocator]);
    }

    #[test]
    fn the_eleventh_function_is_in_the_rest_however_large() {
        let functions = (0..12).map(|at| function(&format!("recourse::f{at}"), 10.0)).collect();
        let folded = folded(functions);
        assert_eq!(folded.len(), 11);
        assert_eq!(folded.last(), Some(&(None, 20.0)));
    }

    #[test]
    fn the_loop_of_the_bench_is_its_own_only_as_far_as_the_bare_operation_goes() {
        let shares = |bare| {
            let functions = vec![
                function("recourse_benches::harness::repeat::{{closure}}", 70.0),
                function("recourse_benches::operation::poll", 5.0),
                function("recourse::call", 25.0),
            ];
            let spent = fold("plain", functions, bare);
            Whose::ALL.map(|whose| {
                let own = spent.iter().filter(|spent| spent.whose == whose);
                own.map(|spent| spent.instructions).sum::<f64>()
            })
        };
        assert_eq!(shares(Some(10.0))[..2], [85.0, 15.0]);
        assert_eq!(shares(Some(80.0))[..2], [25.0, 75.0]);
        assert_eq!(shares(None)[..2], [95.0, 5.0]);
    }

    #[test]
    fn a_row_is_profiled_whose_goal_of_time_or_instructions_is_missed_by_handle() {
        let calls = [
            Call::of("plain", RECOURSE, 7.0, 71.0),
            Call::of("plain", "recourse-static-key", 50.0, 500.0),
            Call::of("plain", "seatbelt", 20.0, 100.0),
            Call::of("latency-recorded", RECOURSE, 9.0, 1.0),
            Call::of("latency-read", RECOURSE, 99.0, 1.0),
        ];
        assert_eq!(missed(&calls), ["plain", "latency-recorded"]);
        let many = Call { allocations: 3.0, ..Call::of("latency-read", RECOURSE, 99.0, 1.0) };
        assert!(missed(&[many]).is_empty());
    }

    #[test]
    fn the_tables_say_what_is_whose_and_which_functions_are_the_largest() {
        let functions = vec![
            function("recourse::call::engine::Engine::judge", 750.0),
            function("<std::time::Instant>::now", 240.0),
            function("recourse::tiny", 6.0),
            function("malloc", 4.0),
        ];
        let tables = tables(&fold("plain", functions, None), &[]);
        let expected = "\
| case | instructions | goal | recourse | the bench | the clock | the allocator | tokio | others |
|---|---|---|---|---|---|---|---|---|
| `plain` | 1,000 | 70 | 756 (76 %) | - | 240 (24 %) | 4 (< 1 %) | - | - |

| case | function | whose | instructions | of the call |
|---|---|---|---|---|
| `plain` | `Engine::judge` | recourse | 750 | 75 % |
| `plain` | `Instant::now` | the clock | 240 | 24 % |
| `plain` | the rest | recourse 6, the allocator 4 | 10 | 1 % |
";
        assert_eq!(tables, expected);
    }

    #[test]
    fn a_run_without_profiles_says_so() {
        assert_eq!(tables(&[], &[]), "No profile was made in this run.\n");
    }
}
