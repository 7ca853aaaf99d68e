//! The command as a user meets it: what it prints, what it says when it cannot, how it ends.

mod course_compile;
mod course_diff;
mod course_pager;
mod course_run;
mod course_whole;
mod course_wrong;
mod demo;
mod doctor;
mod interrupted;
mod live_lab;
mod place;
mod pty;
mod recorded;
mod replay;
mod run;
mod running;
mod serve;
mod top;
mod usage;
