//! Asks the pager in a thread: a pager that is stopped, or busy, must not keep the user from quitting.

use crate::failure::Failure;
use crate::observe::ask_again;
use mager_linux_wire::figures::Figures;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

pub(super) struct Asker {
    questions: Sender<()>,
    answers: Receiver<Result<Figures, Failure>>,
    /// When it was asked what it has not answered.
    waits: Option<Instant>,
}

impl Asker {
    /// The thread ends when this is dropped, or else with the process.
    pub(super) fn start(path: &Path) -> Result<Self, Failure> {
        let ((questions, asked), (tell, answers)) = (channel(), channel());
        let path = path.to_owned();
        let ask = move || while asked.recv().is_ok() && tell.send(ask_again(&path)).is_ok() {};
        let thread = std::thread::Builder::new().name("asker".into()).spawn(ask);
        thread.map_err(|why| Failure::Run(format!("no thread to ask the pager: {why}")))?;
        Ok(Asker { questions, answers, waits: None })
    }

    /// Asks, if everything asked before was answered.
    pub(super) fn ask(&mut self) {
        if self.waits.is_none() && self.questions.send(()).is_ok() {
            self.waits = Some(Instant::now());
        }
    }

    pub(super) fn answer(&mut self) -> Option<Result<Figures, Failure>> {
        let answer = match self.answers.try_recv() {
            Ok(answer) => answer,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err(Failure::Run("nobody asks the pager any more".into())),
        };
        self.waits = None;
        Some(answer)
    }

    pub(super) fn waits(&self) -> Option<Duration> {
        self.waits.map(|since| since.elapsed())
    }
}
