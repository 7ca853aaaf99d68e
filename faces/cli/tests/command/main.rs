//! The command as a user meets it: what it prints, what it says when it cannot, how it ends.

mod course_compile;
mod course_diff;
mod recorded;
mod replay;
mod run;
mod usage;
