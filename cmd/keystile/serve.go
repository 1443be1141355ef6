package main

type serveCommand struct{}
type quickstartCommand struct{}
type adminCommands struct{}
