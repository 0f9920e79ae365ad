//! The origins that an expression matches, as a graph: each path from its start to an accepting node is one.
//!
//! It is the product of the expression's automaton and the [grammar](super::grammar) of origins, without what leads to
//! no origin. A node is *one* state of the expression, not a set of them, so that the graph never is larger than both
//! sizes multiplied, whatever the expression: no question that is asked of it here needs sets.

use std::collections::VecDeque;
use std::rc::Rc;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};
use regex_automata::nfa::thompson::{State, Transition, NFA};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;

use super::alphabet::Bytes;
use super::grammar::{Grammar, Part};
use super::spelled::OPEN;
use crate::origin::serialized::LONGEST;

/// How much work an expression may make: about so many edges are looked at in any case, and so many for each byte of it.
/// What people write takes some thousands. So the time to read a configuration is bounded in proportion to its length.
const FEWEST_STEPS: usize = 60_000;
const STEPS_FOR_EACH_BYTE: usize = 100;

/// How large the automaton of an expression may be, in bytes of memory: likewise.
const SMALLEST_AUTOMATON: usize = 256 << 10;
const AUTOMATON_FOR_EACH_BYTE: usize = 64;

/// The work that is left.
#[derive(Debug)]
pub(super) struct Budget {
    steps: usize,
    /// How large an automaton may be.
    pub largest_automaton: usize,
}

/// There is none left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

impl Budget {
    pub(super) fn for_source(source: &str) -> Self {
        Self {
            steps: FEWEST_STEPS + STEPS_FOR_EACH_BYTE * source.len(),
            largest_automaton: SMALLEST_AUTOMATON + AUTOMATON_FOR_EACH_BYTE * source.len(),
        }
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        self.steps = self.steps.checked_sub(steps).ok_or(Exhausted)?;
        Ok(())
    }
}

/// A step from one node to another by one of these bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub from: u32,
    /// By which bytes.
    pub bytes: Bytes,
    /// By which of them the expression spells out.
    pub spelled: Bytes,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// What the bytes on the way to it are.
    pub part: Part,
    /// Whether an origin can end here.
    pub accepts: bool,
    /// It is on the way from the start to an end.
    is_live: bool,
}

/// The graph, to be walked from the end of origins to their start: that is how names are read.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    /// The edges to each node.
    edges: Vec<Vec<Edge>>,
}

/// The first node.
pub(super) const START: u32 = 0;

impl Graph {
    pub(super) fn new(expression: &NFA, grammar: &Grammar, budget: &mut Budget) -> Result<Self, Exhausted> {
        let mut builder = Builder::new(expression);
        let mut graph = Self::default();
        let first = Place {
            state: expression.start_anchored(),
            grammar: 0,
            before: Beside::Edge,
        };
        let mut numbers = HashMap::<Place, u32, FixedState>::default();
        let mut places = vec![first];
        numbers.insert(first, START);
        let mut outgoing: Vec<Vec<(u32, Edge)>> = Vec::new();
        while let Some(&place) = places.get(graph.nodes.len()) {
            let from = graph.nodes.len() as u32;
            let Some(of_grammar) = grammar.state(place.grammar) else {
                break;
            };
            let at_end = builder.steps_from(place.state, place.before, Beside::Edge, budget)?;
            let accepts = of_grammar.accepts && at_end.matches;
            let mut edges = Vec::new();
            for number in 0..builder.kinds.len() {
                let Some(&(after, readable)) = builder.kinds.get(number) else {
                    break;
                };
                let steps = builder.steps_from(place.state, place.before, after, budget)?;
                for step in &steps.steps {
                    budget.spend(of_grammar.next.len())?;
                    for (bytes, next) in &of_grammar.next {
                        let bytes = bytes.and(step.bytes).and(readable);
                        if bytes.is_empty() {
                            continue;
                        }
                        let to = Place {
                            state: step.to,
                            grammar: *next,
                            before: after,
                        };
                        let to = *numbers.entry(to).or_insert_with(|| {
                            places.push(to);
                            (places.len() - 1) as u32
                        });
                        let spelled = step.spelled.and(bytes);
                        edges.push((to, Edge { from, bytes, spelled }));
                    }
                }
            }
            outgoing.push(edges);
            graph.nodes.push(Node {
                part: of_grammar.part,
                accepts,
                is_live: false,
            });
        }
        graph.edges.resize_with(graph.nodes.len(), Vec::new);
        for (to, edge) in outgoing.into_iter().flatten() {
            if let Some(edges) = graph.edges.get_mut(to as usize) {
                edges.push(edge);
            }
        }
        graph.trim();
        Ok(graph)
    }

    /// Takes away what leads to no origin.
    fn trim(&mut self) {
        let numbered = (0_u32..).zip(&self.nodes);
        let mut reached: Vec<u32> = numbered
            .filter(|(_, node)| node.accepts)
            .map(|(number, _)| number)
            .collect();
        while let Some(number) = reached.pop() {
            let Some(node) = self.nodes.get_mut(number as usize).filter(|node| !node.is_live) else {
                continue;
            };
            node.is_live = true;
            reached.extend(self.edges_to(number).iter().map(|edge| edge.from));
        }
        for (node, edges) in self.nodes.iter().zip(&mut self.edges) {
            if !node.is_live {
                *edges = Vec::new();
            }
        }
    }

    /// Whether the expression matches no origin at all.
    pub(super) fn is_empty(&self) -> bool {
        self.node(START).is_none()
    }

    /// The nodes that are on the way to an origin.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (u32, &Node)> {
        (0_u32..).zip(&self.nodes).filter(|(_, node)| node.is_live)
    }

    pub(super) fn node(&self, number: u32) -> Option<&Node> {
        self.nodes.get(number as usize).filter(|node| node.is_live)
    }

    pub(super) fn edges_to(&self, number: u32) -> &[Edge] {
        self.edges.get(number as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether the expression matches this origin.
    pub(super) fn contains(&self, origin: &str) -> bool {
        let ends = self.nodes().filter(|(_, node)| node.accepts).map(|(number, _)| number);
        let mut nodes: HashSet<u32, FixedState> = ends.collect();
        for byte in origin.bytes().rev() {
            let one = Bytes::one(byte);
            let edges = nodes.iter().flat_map(|node| self.edges_to(*node));
            nodes = edges
                .filter(|edge| !edge.bytes.and(one).is_empty())
                .map(|edge| edge.from)
                .collect();
        }
        nodes.contains(&START)
    }

    /// The shortest origin that `search` looks for.
    pub(super) fn shortest<S: Search>(&self, search: &S, budget: &mut Budget) -> Result<Option<String>, Exhausted> {
        let mut seen = HashSet::<(u32, S::State), FixedState>::default();
        // Each place with the byte that leads from it to the place of that number.
        let mut found: Vec<(u32, S::State, u8, usize)> = Vec::new();
        for (number, node) in self.nodes() {
            if node.accepts && search.goes_through(node.part) && seen.insert((number, search.at_end())) {
                found.push((number, search.at_end(), 0, usize::MAX));
            }
        }
        let mut queue: VecDeque<usize> = (0..found.len()).collect();
        while let Some(index) = queue.pop_front() {
            let Some(&(number, state, ..)) = found.get(index) else {
                break;
            };
            if number == START && search.wants(state) {
                let origin = spelled_by(&found, index);
                return Ok((origin.len() <= LONGEST).then_some(origin));
            }
            let Some(node) = self.node(number) else {
                continue;
            };
            for edge in self.edges_to(number) {
                let is_open = |from: &&Node| search.goes_through(from.part);
                if self.node(edge.from).filter(is_open).is_none() {
                    continue;
                }
                budget.spend(1)?;
                search.before(state, node.part, edge.bytes, &mut |before, byte| {
                    if seen.insert((edge.from, before)) {
                        queue.push_back(found.len());
                        found.push((edge.from, before, byte, index));
                    }
                });
            }
        }
        Ok(None)
    }
}

/// The origin that was read backwards up to the place `index`.
fn spelled_by<S>(found: &[(u32, S, u8, usize)], mut index: usize) -> String {
    let mut origin = String::new();
    while let Some((_, _, byte, next)) = found.get(index).filter(|(.., next)| *next != usize::MAX) {
        origin.push(char::from(*byte));
        index = *next;
    }
    origin
}

/// What is looked for in a graph, as an automaton that reads origins backwards.
pub(super) trait Search {
    type State: Copy + Eq + std::hash::Hash;

    /// The state before anything is read.
    fn at_end(&self) -> Self::State;

    /// The states after one of `bytes` is read, which is the last one of `part`, each with the most natural byte that
    /// leads there.
    fn before(&self, state: Self::State, part: Part, bytes: Bytes, found: &mut dyn FnMut(Self::State, u8));

    /// Whether an origin that was read to its start is looked for.
    fn wants(&self, state: Self::State) -> bool;

    /// Whether origins are looked for that go through this part.
    fn goes_through(&self, _part: Part) -> bool {
        true
    }
}

/// What stands on one side of a look-around, as far as it asks. No origin holds a line feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Beside {
    /// The origin begins or ends here.
    Edge,
    /// A byte of `\w`.
    Word,
    /// Another byte; any byte, where there is no look-around.
    Other,
}

/// Whether a look-around is satisfied between two bytes.
fn is_satisfied(look: Look, before: Beside, after: Beside) -> bool {
    use Beside::{Edge, Word};
    match look {
        Look::Start | Look::StartLF | Look::StartCRLF => before == Edge,
        Look::End | Look::EndLF | Look::EndCRLF => after == Edge,
        Look::WordAscii | Look::WordUnicode => (before == Word) != (after == Word),
        Look::WordAsciiNegate | Look::WordUnicodeNegate => (before == Word) == (after == Word),
        Look::WordStartAscii | Look::WordStartUnicode => before != Word && after == Word,
        Look::WordEndAscii | Look::WordEndUnicode => before == Word && after != Word,
        Look::WordStartHalfAscii | Look::WordStartHalfUnicode => before != Word,
        Look::WordEndHalfAscii | Look::WordEndHalfUnicode => after != Word,
    }
}

/// A node before it is numbered.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    state: StateID,
    grammar: u16,
    before: Beside,
}

/// The steps from a state of the expression.
#[derive(Debug, Default)]
struct Steps {
    steps: Vec<Step>,
    /// The expression can end here.
    matches: bool,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    bytes: Bytes,
    spelled: Bytes,
    to: StateID,
}

type Between = (StateID, Beside, Beside);

struct Builder<'e> {
    expression: &'e NFA,
    has_looks: bool,
    /// The kinds of bytes that have to be told apart, and which bytes those are.
    kinds: Vec<(Beside, Bytes)>,
    steps: HashMap<Between, Rc<Steps>, FixedState>,
}

impl<'e> Builder<'e> {
    fn new(expression: &'e NFA) -> Self {
        let has_looks = !expression.look_set_any().is_empty();
        let all = Bytes::range(0, u8::MAX);
        let word = Bytes::matching(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let kinds = match has_looks {
            true => vec![(Beside::Word, word), (Beside::Other, all.without(word))],
            false => vec![(Beside::Other, all)],
        };
        Self {
            expression,
            has_looks,
            kinds,
            steps: HashMap::default(),
        }
    }

    /// The steps from `state`, where it stands between `before` and `after`.
    fn steps_from(
        &mut self,
        state: StateID,
        before: Beside,
        after: Beside,
        budget: &mut Budget,
    ) -> Result<Rc<Steps>, Exhausted> {
        let between = if self.has_looks {
            (state, before, after)
        } else {
            (state, Beside::Other, Beside::Other)
        };
        if let Some(steps) = self.steps.get(&between) {
            return Ok(Rc::clone(steps));
        }
        let mut steps = Steps::default();
        let mut seen = HashSet::<StateID, FixedState>::default();
        let mut open = vec![state];
        while let Some(state) = open.pop() {
            if !seen.insert(state) {
                continue;
            }
            budget.spend(1)?;
            match self.expression.state(state) {
                State::ByteRange { trans } => steps.steps.extend(step([trans])),
                State::Sparse(sparse) => {
                    budget.spend(sparse.transitions.len())?;
                    steps.steps.extend(step(sparse.transitions.iter()));
                }
                State::Dense(dense) => {
                    budget.spend(dense.transitions.len())?;
                    let all: Vec<Transition> = (0..=u8::MAX)
                        .zip(&*dense.transitions)
                        .filter(|(_, next)| **next != StateID::ZERO)
                        .map(|(byte, next)| Transition {
                            start: byte,
                            end: byte,
                            next: *next,
                        })
                        .collect();
                    steps.steps.extend(step(all.iter()));
                }
                State::Look { look, next } => open.extend(is_satisfied(*look, before, after).then_some(*next)),
                State::Union { alternates } => {
                    budget.spend(alternates.len())?;
                    open.extend(alternates.iter().copied());
                }
                State::BinaryUnion { alt1, alt2 } => open.extend([*alt1, *alt2]),
                State::Capture { next, .. } => open.push(*next),
                State::Match { .. } => steps.matches = true,
                State::Fail => {}
            }
        }
        let steps = Rc::new(steps);
        self.steps.insert(between, Rc::clone(&steps));
        Ok(steps)
    }
}

/// The steps of transitions, those to the same state taken together.
fn step<'t>(transitions: impl IntoIterator<Item = &'t Transition>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for transition in transitions {
        let spelled = match transition.start {
            OPEN.. => Bytes::NONE,
            start => Bytes::range(start, transition.end.min(OPEN - 1)),
        };
        let open = match transition.end {
            0..OPEN => Bytes::NONE,
            end => Bytes::range(transition.start.max(OPEN) & !OPEN, end & !OPEN),
        };
        let bytes = spelled.or(open);
        match steps.iter_mut().find(|step| step.to == transition.next) {
            Some(step) => {
                step.bytes = step.bytes.or(bytes);
                step.spelled = step.spelled.or(spelled);
            }
            None => steps.push(Step {
                bytes,
                spelled,
                to: transition.next,
            }),
        }
    }
    steps
}
