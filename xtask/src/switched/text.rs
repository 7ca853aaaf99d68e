//! The text of a file with many mutations in it: each function that has some chooses its body by a number.
//!
//! ```text
//! fn f(a: u32) -> u32 {            fn f(a: u32) -> u32 {
//!     a + 1                            match mager_policies::switch::on() {
//! }                                        7 => { a - 1 }
//!                                          8 => { 0 }
//!                                          _ => { a + 1 }
//!                                      }
//!                                  }
//! ```

use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::Range;

/// One change to the text of a file, as cargo-mutants lists it.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// What the switch is set to.
    pub number: u32,
    /// What cargo-mutants calls it.
    pub name: String,
    /// Where, from the top of the tree.
    pub file: String,
    /// The function it is in, if any: its name, and its place in bytes.
    pub function: Option<(String, Range<usize>)>,
    /// What is replaced, in bytes.
    pub span: Range<usize>,
    /// By what.
    pub by: String,
}

/// A file with its mutations behind the switch.
#[derive(Debug, Default)]
pub struct Switched {
    /// The new text.
    pub text: String,
    /// Which lines, from 1 on, belong to which mutation.
    pub lines: Vec<(Range<usize>, u32)>,
}

/// The body of a function without its braces; `None` where a choice cannot stand: in a `const fn`, or where each
/// body would return a type of its own.
fn body(source: &str, mutation: &Mutation) -> Option<Range<usize>> {
    let (name, place) = mutation.function.as_ref()?;
    let text = &source[place.clone()];
    let name = name.rsplit("::").next()?;
    let at = text.find(&format!("fn {name}"))?;
    let brace = at + text[at..].find('{')?;
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let head = &text[line..brace];
    let whole = place.start + brace + 1..place.end - 1;
    let inside = whole.start <= mutation.span.start && mutation.span.end <= whole.end;
    (!head.contains("const fn") && !head.contains("-> impl") && inside).then_some(whole)
}

/// The text with one change made.
pub fn changed(source: &str, mutation: &Mutation) -> String {
    [&source[..mutation.span.start], &mutation.by, &source[mutation.span.end..]].concat()
}

/// Whether the mutation can stand behind the switch with others.
pub fn can_be_switched(source: &str, mutation: &Mutation) -> bool {
    body(source, mutation).is_some()
}

/// Puts all `mutations` of one file into its text. `switch` is the path of the function that says which is on.
pub fn switched(source: &str, mutations: &[&Mutation], switch: &str) -> Switched {
    let mut out = Switched::default();
    let mut done = 0;
    for place in bodies(source, mutations) {
        out.text.push_str(&source[done..place.start]);
        writeln!(out.text, "match {switch}() {{").expect("a string takes everything");
        let inside = |it: &&&Mutation| place.start <= it.span.start && it.span.end <= place.end;
        for mutation in mutations.iter().filter(inside) {
            out.arm(source, &place, mutation);
        }
        write!(out.text, "_ => {{ {} }} }}", &source[place.clone()]).expect("a string takes everything");
        done = place.end;
    }
    out.text.push_str(&source[done..]);
    out
}

/// The bodies that hold mutations, none inside another, in order.
fn bodies(source: &str, mutations: &[&Mutation]) -> Vec<Range<usize>> {
    let mut all: Vec<_> = mutations.iter().filter_map(|mutation| body(source, mutation)).collect();
    all.sort_by_key(|place| (place.start, usize::MAX - place.end));
    let mut end = 0;
    all.retain(|place| {
        let outermost = place.start >= end;
        end = end.max(place.end);
        outermost
    });
    all
}

impl Switched {
    fn arm(&mut self, source: &str, place: &Range<usize>, mutation: &Mutation) {
        let before = self.text.lines().count();
        let (start, end) = (&source[place.start..mutation.span.start], &source[mutation.span.end..place.end]);
        writeln!(self.text, "{} => {{ {start}{}{end} }}", mutation.number, mutation.by)
            .expect("a string takes everything");
        self.lines.push((before + 1..self.text.lines().count() + 1, mutation.number));
    }

    /// The mutations that the given lines belong to.
    pub fn at(&self, lines: &BTreeSet<usize>) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        for (range, number) in &self.lines {
            if lines.range(range.clone()).next().is_some() {
                found.insert(*number);
            }
        }
        found
    }
}

/// The place in bytes of a line and a column, both from 1 on, the column in characters.
pub fn offset(source: &str, line: usize, column: usize) -> Option<usize> {
    let start = if line == 1 { 0 } else { source.match_indices('\n').nth(line - 2)?.0 + 1 };
    let text = &source[start..];
    Some(start + text.char_indices().nth(column - 1).map_or(text.len(), |(at, _)| at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "/// One fn more.\nfn more(a: u32) -> u32 {\n    a + 1\n}\nconst fn two() -> u32 {\n    1 + 1\n}\n";

    fn mutation(number: u32, function: &str, from: &str, by: &str) -> Mutation {
        let at = SOURCE.find(&format!("fn {function}(")).unwrap();
        let at = SOURCE[..at].rfind('\n').unwrap() + 1;
        let end = at + SOURCE[at..].find("\n}").unwrap() + 2;
        let start = at + SOURCE[at..].find(from).unwrap();
        Mutation {
            number,
            name: String::new(),
            file: String::new(),
            function: Some((function.to_owned(), at..end)),
            span: start..start + from.len(),
            by: by.to_owned(),
        }
    }

    #[test]
    fn each_mutation_is_an_arm_and_the_rest_stays() {
        let (one, other) = (mutation(7, "more", "+", "-"), mutation(8, "more", "a + 1", "0"));
        let Switched { text, lines } = switched(SOURCE, &[&one, &other], "on");
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let arms = "match on() { 7 => { a - 1 } 8 => { 0 } _ => { a + 1 } }}";
        assert!(flat.contains(arms), "{flat}");
        assert!(flat.ends_with("const fn two() -> u32 { 1 + 1 }"), "{flat}");
        for (range, number) in &lines {
            let arm = text.lines().nth(range.start - 1).unwrap();
            assert!(arm.starts_with(&number.to_string()), "line {range:?} of {text}");
        }
    }

    #[test]
    fn a_const_fn_cannot_choose() {
        assert!(!can_be_switched(SOURCE, &mutation(9, "two", "+", "-")));
        assert_eq!(changed("1 + 1", &Mutation { span: 2..3, ..mutation(9, "two", "+", "*") }), "1 * 1");
    }

    #[test]
    fn lines_and_columns_are_counted_from_one() {
        assert_eq!(offset("ab\nüx\n", 2, 2), Some(5));
        assert_eq!(offset("ab\n", 1, 1), Some(0));
    }
}
