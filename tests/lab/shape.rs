//! What a lab looks like: its nodes, and which bricks make up the two volumes.

/// A node's name, address and room for bricks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) address: &'static str,
    pub(crate) brick_size: &'static str,
}

/// A brick: the node's name and the directory there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Brick {
    pub(crate) node: &'static str,
    pub(crate) dir: &'static str,
}

/// The topology of a lab.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) nodes: &'static [Place],
    pub(crate) replica: usize,
    pub(crate) primary: &'static [Brick],
    pub(crate) secondary: &'static [Brick],
}

const NODES: &[Place] = &[
    Place { name: "m1", address: "10.77.0.11", brick_size: "1g" },
    Place { name: "m2", address: "10.77.0.12", brick_size: "1g" },
    Place { name: "s1", address: "10.77.0.21", brick_size: "256m" },
];

/// Two primaries with one brick each, replica 2; one secondary.
pub(crate) const REPLICATED: Shape = Shape {
    nodes: NODES,
    replica: 2,
    primary: &[
        Brick { node: "m1", dir: "/srv/bricks/gv0" },
        Brick { node: "m2", dir: "/srv/bricks/gv0" },
    ],
    secondary: &[Brick { node: "s1", dir: "/srv/bricks/gv0dr" }],
};

/// A 2 x 2 primary and a secondary of two distributed bricks: gfids live on different bricks,
/// directories on all of them, and renames leave linkto files.
pub(crate) const DISTRIBUTED: Shape = Shape {
    nodes: NODES,
    replica: 2,
    primary: &[
        Brick { node: "m1", dir: "/srv/bricks/gv0-a" },
        Brick { node: "m2", dir: "/srv/bricks/gv0-a" },
        Brick { node: "m1", dir: "/srv/bricks/gv0-b" },
        Brick { node: "m2", dir: "/srv/bricks/gv0-b" },
    ],
    secondary: &[
        Brick { node: "s1", dir: "/srv/bricks/gv0dr-a" },
        Brick { node: "s1", dir: "/srv/bricks/gv0dr-b" },
    ],
};

impl Brick {
    /// As `gluster volume create` wants it.
    pub(crate) fn url(&self) -> String {
        format!("{}:{}", self.node, self.dir)
    }
}
