//! Stand-ins for the PKS command and the APIs that it calls (UAA and PKS).
