//! The server without its listener: requests in, answers out.
#![cfg(test)]

mod camera;
mod examinations;
mod gate;
mod outside;
mod pages;
mod result;
mod review;
mod safety;
mod support;
mod team;
