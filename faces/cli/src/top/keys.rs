//! What each key does.

use super::model::Model;
use super::rows::Key;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Processes that a page of scrolling goes over.
const PAGE: isize = 10;

/// What the loop has to do about a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Do {
    Nothing,
    Draw,
    /// Whatever the terminal shows now.
    Redraw,
    Quit,
    /// Ctrl-C, which the terminal does not make a signal now.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
}

/// Changes the model as the user wants it.
pub(super) fn pressed(key: KeyEvent, model: &mut Model) -> Do {
    if key.kind == KeyEventKind::Release {
        return Do::Nothing;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return with_control(key.code);
    }
    // Whatever is pressed, the help goes; what is pressed beside is done.
    let helped = std::mem::take(&mut model.help);
    match key.code {
        KeyCode::Char('q' | 'Q') => return Do::Quit,
        KeyCode::Esc if !helped => return Do::Quit,
        KeyCode::Char('?' | 'h') => model.help = !helped,
        KeyCode::Char(' ') => model.paused = !model.paused,
        KeyCode::Char('+' | '=') => model.slower(),
        KeyCode::Char('-' | '_') => model.faster(),
        KeyCode::Up | KeyCode::Char('k') => model.scroll(-1),
        KeyCode::Down | KeyCode::Char('j') => model.scroll(1),
        KeyCode::PageUp => model.scroll(-PAGE),
        KeyCode::PageDown => model.scroll(PAGE),
        KeyCode::Home => model.scroll(isize::MIN),
        KeyCode::End => model.scroll(isize::MAX),
        KeyCode::Char(letter) => {
            if let Some(key) = sort_key(letter) {
                model.sort.by(key);
            }
        }
        _ => {}
    }
    Do::Draw
}

fn with_control(code: KeyCode) -> Do {
    match code {
        KeyCode::Char('c') => Do::Interrupt,
        KeyCode::Char('z') => Do::Suspend,
        // As everywhere in terminals: draw it again.
        KeyCode::Char('l') => Do::Redraw,
        _ => Do::Nothing,
    }
}

fn sort_key(letter: char) -> Option<Key> {
    Some(match letter {
        'f' => Key::Faults,
        'i' => Key::PageIns,
        'm' => Key::Memory,
        'r' => Key::Reserved,
        'c' => Key::Command,
        'p' => Key::Pid,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::model::tests::model;
    use std::time::Duration;

    fn press(model: &mut Model, code: KeyCode) -> Do {
        pressed(KeyEvent::new(code, KeyModifiers::NONE), model)
    }

    #[test]
    fn letters_do_what_the_help_says() {
        let mut model = model();
        assert_eq!(press(&mut model, KeyCode::Char('m')), Do::Draw);
        assert_eq!(model.sort.key, Key::Memory);
        press(&mut model, KeyCode::Char(' '));
        press(&mut model, KeyCode::Char('+'));
        press(&mut model, KeyCode::Down);
        assert_eq!((model.paused, model.interval, model.offset), (true, Duration::from_secs(2), 1));
        press(&mut model, KeyCode::Home);
        press(&mut model, KeyCode::Char(' '));
        assert_eq!((model.paused, model.offset), (false, 0));
    }

    #[test]
    fn the_help_comes_and_goes_and_escape_ends_it_first() {
        let mut model = model();
        press(&mut model, KeyCode::Char('?'));
        assert!(model.help);
        assert_eq!(press(&mut model, KeyCode::Esc), Do::Draw);
        assert!(!model.help);
        assert_eq!(press(&mut model, KeyCode::Esc), Do::Quit);
        assert_eq!(press(&mut model, KeyCode::Char('q')), Do::Quit);
    }

    #[test]
    fn control_keys_are_not_letters() {
        let mut model = model();
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        assert_eq!(pressed(control('c'), &mut model), Do::Interrupt);
        assert_eq!(pressed(control('z'), &mut model), Do::Suspend);
        assert_eq!(pressed(control('m'), &mut model), Do::Nothing);
        assert_eq!(model.sort.key, Key::Faults);
    }
}
